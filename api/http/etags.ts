export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** Whether a header of entity tags names this one. `weak`: tags marked `W/` count too, as for If-None-Match. */
export function listed(header: string, etag: string, weak: boolean): boolean {
  return header
    .split(',')
    .map((tag) => tag.trim())
    .some((tag) => tag === '*' || tag === quoted(etag) || (weak && tag === `W/${quoted(etag)}`));
}
