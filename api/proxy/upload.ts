import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The client's body as a stream of its own. Handing on the request itself would destroy the client's connection,
 * answer and all, when the program answers before it has read everything.
 */
export class Upload extends Readable {
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    super();
    this.#req = req;
    req.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onGone).on('close', this.#onGone);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  readonly #onGone = (): void => {
    if (!this.#req.complete) this.destroy(new Error('the client went away'));
  };

  override _read(): void {
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // The 'error' listener stays: what still comes is thrown away, and its end is nobody's concern.
    this.#req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone).resume();
    callback(error);
  }
}
