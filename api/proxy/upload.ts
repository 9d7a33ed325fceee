import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Of a body that may have to be sent once more so much is kept, in bytes; a longer one is sent once. */
const KEPT_BYTES_MAX = 64 * 1024;

/** A client's body, unread until it is opened. */
export class Body {
  readonly #req: IncomingMessage;
  /** What was read of it. */
  #kept: Buffer[] = [];
  #bytes = 0;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  /** Whether all that was read of it is still there. */
  get isWhole(): boolean {
    return this.#bytes <= KEPT_BYTES_MAX;
  }

  /** From its beginning. Call only while it is whole, and not before the stream given last was destroyed. */
  open(): Readable {
    return new Upload(this.#req, this.#kept, (chunk) => {
      this.#bytes += chunk.length;
      if (this.isWhole) this.#kept.push(chunk);
      else this.#kept = [];
    });
  }
}

/**
 * The client's body as a stream of its own. Handing on the request itself would destroy the client's connection,
 * answer and all, when the program answers before it has read everything.
 */
class Upload extends Readable {
  readonly #req: IncomingMessage;
  readonly #keep: (chunk: Buffer) => void;

  constructor(req: IncomingMessage, before: readonly Buffer[], keep: (chunk: Buffer) => void) {
    super();
    this.#req = req;
    this.#keep = keep;
    for (const chunk of before) this.push(chunk);
    if (req.readableEnded) this.push(null);
    req.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onGone).on('close', this.#onGone);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#keep(chunk);
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
    // The 'error' listener stays: the end of what still comes is nobody's concern. It is read behind the answer.
    this.#req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone).pause();
    callback(error);
  }
}
