/** Places a model as contiguous layers over one or several nodes. */
module skulk.placement.pipeline {
    requires skulk.api;

    provides skulk.api.Plugin with
            skulk.placement.pipeline.PipelinePlugin;
}
