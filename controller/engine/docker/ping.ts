import { timeOut } from '../../../schemas/time-out.ts';
import type { Connection } from './client.ts';
import { unavailable } from './errors.ts';

/** How long an engine has to say that it is there. */
const PING_TIMEOUT_MS = 5_000;

/** The types leave out what the call takes. */
interface Pingable {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
}

/**
 * See `Engine.ping`. On a connection of its own: an engine that goes down takes no new one from the start, while it
 * still answers on the old ones, with failures of every kind, to its very end.
 */
export async function ping(connection: Connection, timeoutMs = PING_TIMEOUT_MS): Promise<void> {
  const { docker, close } = connection.disposable();
  const silence = new AbortController();
  const cancel = timeOut(timeoutMs, () => silence.abort());
  try {
    await (docker as unknown as Pingable).ping({ abortSignal: silence.signal });
  } catch (error) {
    if (!silence.signal.aborted) throw unavailable(error);
    // Whoever waits for another answer would wait in vain, and hold what others need.
    connection.cut();
    throw unavailable(new Error(`it was silent for ${timeoutMs / 1000} s`));
  } finally {
    cancel();
    close();
  }
}
