import { connect, type Socket } from 'node:net';
import { AnswerReader, type Piece } from './answer-reader.ts';
import { tooLate } from './gateway-error.ts';
import type { Llhttp } from './llhttp.ts';
import { TARGET_HOST } from './target.ts';

/** A request without a body, and what becomes of it. */
export interface Exchange {
  /** The head as it is sent, one byte a character. */
  readonly text: string;
  /** Whether the answer can have no body. */
  readonly isHead: boolean;
  /** Whether nobody waits for the answer any more. */
  isGone(): boolean;
  /** It was given that connection: `drop` ends it, `resume` reads on. */
  sentOver(connection: Kept): void;
  /** What came; the last piece is the end. `wait` where no more is to be read until `resume`, `drop` where never. */
  take(piece: Piece): 'more' | 'wait' | 'drop';
  /** There is no more, and nothing of it is called again. */
  fail(error: Error): void;
}

/** What all connections share. */
export interface Shared {
  llhttp: Llhttp;
  /** Every read goes here, and nothing stays in it. */
  input: Buffer;
  /** How long the program may take to connect, and to its first byte; milliseconds. */
  firstByteMsMax: number;
}

/** A connection to a program, for one request after the other. */
export class Kept {
  /** How many times it was found idle. */
  idleLooks = 0;
  readonly port: number;
  readonly #onIdle: (kept: Kept) => void;
  readonly #onEnd: (kept: Kept) => void;
  readonly #socket: Socket;
  readonly #reader: AnswerReader;
  /** Started at each request, and without a meaning once the answer has begun. */
  readonly #timer: NodeJS.Timeout;
  #exchange: Exchange | undefined;
  #isBegun = false;
  #isEnded = false;

  /** @param onIdle called when it may be used again; @param onEnd when it will not be, once */
  constructor(port: number, shared: Shared, onIdle: (kept: Kept) => void, onEnd: (kept: Kept) => void) {
    this.port = port;
    this.#onIdle = onIdle;
    this.#onEnd = onEnd;
    this.#reader = new AnswerReader(shared.llhttp, shared.input);
    this.#timer = setTimeout(this.#onLate, shared.firstByteMsMax).unref();
    this.#socket = connect({
      host: TARGET_HOST,
      port,
      noDelay: true,
      onread: { buffer: shared.input, callback: this.#onRead },
    });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('end', this.#onEof);
    this.#socket.on('close', () => this.#fail(closed()));
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Call only while it is idle, or new. */
  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#isBegun = false;
    this.#reader.begin(exchange.isHead);
    this.#timer.refresh();
    exchange.sentOver(this);
    this.#socket.write(exchange.text, 'latin1');
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends it, whatever is under way; nobody is told. */
  drop(): void {
    this.#exchange = undefined;
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#reader.free();
    this.#onEnd(this);
  }

  readonly #onRead = (length: number): boolean => {
    const exchange = this.#exchange;
    // Nobody has asked.
    if (exchange === undefined) {
      this.drop();
      return false;
    }
    const error = this.#reader.read(length);
    const goesOn = this.#tell(exchange);
    if (error !== undefined) this.#fail(error);
    return goesOn;
  };

  readonly #onEof = (): void => {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.drop();
      return;
    }
    const error = this.#reader.end();
    this.#tell(exchange);
    this.#fail(error ?? closed());
  };

  /** Gives whether to read on. */
  #tell(exchange: Exchange): boolean {
    const piece = this.#reader.take();
    if (piece.head !== undefined) this.#isBegun = true;
    else if (!this.#isBegun) this.#timer.refresh();
    const then = exchange.take(piece);
    if (then === 'drop' || (piece.isLast && (exchange.isHead || !this.#reader.keepsAlive))) {
      this.drop();
      return false;
    }
    if (piece.isLast) {
      this.#exchange = undefined;
      this.#onIdle(this);
      return true;
    }
    return then !== 'wait';
  }

  readonly #onLate = (): void => {
    if (!this.#isBegun) this.#fail(tooLate());
  };

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.drop();
    exchange?.fail(error);
  }
}

function closed(): Error {
  return Object.assign(new Error('the other side closed the connection'), { code: 'ECONNRESET' });
}
