/** The most that the body of a call may have, in bytes: whoever sends sources asks it before. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024;
