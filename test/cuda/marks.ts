/** Bytes of an allocation that marks the report of step 0 in a trace; one more marks step 1. */
export const markBytes = 770_000;
