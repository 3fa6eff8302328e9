/** Skulk's extension points and the values that cross them; depends on nothing but the Java base module. */
module skulk.api {
    exports skulk.api;
    exports skulk.api.cluster;
    exports skulk.api.dialect;
    exports skulk.api.generation;
    exports skulk.api.http;
    exports skulk.api.json;
    exports skulk.api.model;
    exports skulk.api.operation;
    exports skulk.api.placement;
    exports skulk.api.problem;
    exports skulk.api.telemetry;
}
