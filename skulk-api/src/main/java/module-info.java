/** Skulk's extension points and the values that cross them; depends on nothing but the Java base module. */
module skulk.api {
    exports skulk.api.json;
}
