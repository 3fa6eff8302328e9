/** Places a model as shares of every layer over several nodes. */
module skulk.placement.tensor {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.placement.tensor.TensorPlugin;
}
