import type { IncomingMessage } from 'node:http';
import type Docker from 'dockerode';
import { isUnavailable } from './errors.ts';

/**
 * The newest version of the engine's API that the tests run on (Docker 28.5.2). An engine that knows newer ones is asked
 * in this one: they leave out fields of older ones, which calls without a version would lose on the day of an upgrade.
 */
const NEWEST_TESTED = '1.51';

/** What docker-modem is called with, as far as it matters here. */
interface Dial {
  path: string;
  abortSignal?: AbortSignal;
}
type Done = (error: unknown, answer?: unknown) => void;
interface Modem {
  dial(options: object, done: Done): void;
}

/** The API version that calls name; the clients of one connection share it. */
export interface ApiVersion {
  /** Makes every call of a client name the version. The engine is asked for its own before the first. */
  apply(docker: Docker): void;
}

/**
 * Asks again after a call that found the engine away, or one that speaks the version no more: the next one at that
 * address may be another.
 */
export function createApiVersion(): ApiVersion {
  let known: string | undefined;

  function learn(modem: Modem, abortSignal: AbortSignal | undefined, done: (error: unknown) => void): void {
    const signal = abortSignal === undefined ? {} : { abortSignal };
    const call = { path: '/_ping', method: 'GET', isStream: true, statusCodes: { 200: true }, ...signal };
    modem.dial(call, (error, answer) => {
      if (error) return done(error);
      const { headers, resume } = answer as IncomingMessage;
      resume.call(answer);
      known = lower(String(headers['api-version'] ?? ''), NEWEST_TESTED);
      done(undefined);
    });
  }

  return {
    apply(docker) {
      const modem = docker.modem as unknown as Modem;
      const plain: Modem = { dial: modem.dial.bind(modem) };
      modem.dial = (options, done) => {
        const call = options as Dial;
        const watched: Done = (error, answer) => {
          if (error && isUnavailable(error)) known = undefined;
          done(error, answer);
        };
        // It names none: it is how the version is found out.
        if (call.path === '/_ping') return plain.dial(call, watched);
        const dial = (): void => plain.dial({ ...call, path: `${prefix(known)}${call.path}` }, watched);
        if (known !== undefined) return dial();
        learn(plain, call.abortSignal, (error) => (error ? watched(error) : dial()));
      };
    },
  };
}

/** `""` for an engine that names none. */
function prefix(version = ''): string {
  return version === '' ? '' : `/v${version}`;
}

/** The lower of two versions `major.minor`; `""` where the first is none. */
export function lower(version: string, other: string): string {
  const parts = (text: string) => /^(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number);
  const [mine, theirs] = [parts(version), parts(other)];
  if (mine === undefined || theirs === undefined) return '';
  const [major = 0, minor = 0] = mine;
  const [otherMajor = 0, otherMinor = 0] = theirs;
  return major < otherMajor || (major === otherMajor && minor <= otherMinor) ? version : other;
}
