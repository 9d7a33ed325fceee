/** What the API takes (`api/http/body.ts`, `api/routes/source-names.ts`); a test holds the two together. */

/** A whole body, in bytes of its JSON. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024;
export const FILES_MAX = 10_000;
