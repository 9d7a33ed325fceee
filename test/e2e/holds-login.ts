/** Runs of base64, in either alphabet, that are long enough to hold a login. */
const RUN = /[A-Za-z0-9+/_-]{16,}/g;

/** Whether a text holds the password: as it is, or in base64, by itself or in something larger (`X-Registry-Auth` is JSON). */
export function holdsPassword(text: string, password: string): boolean {
  if (text.includes(password)) return true;
  // Where the run begins before the base64 does, that stands at another place of the four.
  const decoded = (run: string) =>
    [0, 1, 2, 3].map((at) => Buffer.from(run.slice(at), 'base64').toString('latin1'));
  return (text.match(RUN) ?? []).some((run) => decoded(run).some((one) => one.includes(password)));
}
