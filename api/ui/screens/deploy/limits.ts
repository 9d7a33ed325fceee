export { BODY_BYTES_MAX } from '../../../../schemas/body-limit.ts';

/** What the API takes (`api/routes/source-names.ts`); a test holds the two together. */
export const FILES_MAX = 10_000;
