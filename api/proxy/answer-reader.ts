import type { AnswerHead } from './answer.ts';
import type { Llhttp, Reader } from './llhttp.ts';

/** Of a head, and of trailers, so many bytes may come. */
const HEAD_BYTES_MAX = 64 * 1024;
const STOP = -1;
const NOTHING: readonly never[] = [];

/** What was read of an answer since it was asked last. */
export interface Piece {
  /** Undefined where it came before, or did not yet. */
  head: AnswerHead | undefined;
  /** Each a copy of its own. */
  body: readonly Buffer[];
  /** Whether that is the end of the answer. */
  isLast: boolean;
  /** Flat; all of them once it is the last. */
  trailers: readonly string[];
}

/**
 * Reads the answers that come over one connection, one after the other. Nothing is told while llhttp runs: who asks
 * gets what has come.
 */
export class AnswerReader implements Reader {
  readonly #llhttp: Llhttp;
  readonly #parser: number;
  /** What is being read. */
  #input: Buffer;
  #isHead = false;
  #isInterim = false;
  #bytes = 0;
  #phrase = '';
  /** Flat, of the head or behind the body. */
  #lines: string[] = [];
  #head: AnswerHead | undefined;
  #body: Buffer[] | undefined;
  #isWhole = true;
  /** Whether the connection is of use for another answer, once this one is whole. */
  #keepsAlive = true;

  /** @param input in which `read` finds the bytes, each time */
  constructor(llhttp: Llhttp, input: Buffer) {
    this.#llhttp = llhttp;
    this.#input = input;
    this.#parser = llhttp.make();
  }

  /** The next answer is that to a HEAD, or not. */
  begin(isHead: boolean): void {
    this.#isHead = isHead;
    this.#isWhole = false;
    this.#isInterim = false;
    this.#keepsAlive = true;
  }

  /** Reads so many bytes of the input. Gives why they are no answer, which holds for all that comes after. */
  read(length: number): Error | undefined {
    return this.#checked(this.#llhttp.execute(this.#parser, this, this.#input.subarray(0, length)));
  }

  /** The connection has ended, which may be the end of the answer. */
  end(): Error | undefined {
    return this.#checked(this.#llhttp.finish(this.#parser, this));
  }

  take(): Piece {
    const isLast = this.#isWhole;
    const trailers = isLast ? this.#lines : NOTHING;
    const piece: Piece = { head: this.#head, body: this.#body ?? NOTHING, isLast, trailers };
    this.#head = undefined;
    this.#body = undefined;
    if (trailers.length > 0) this.#lines = [];
    return piece;
  }

  /** Whether another may be asked for over this connection: not behind bytes that nobody asked for. */
  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  free(): void {
    this.#llhttp.free(this.#parser);
  }

  #checked(code: number): Error | undefined {
    if (code === 0) return undefined;
    this.#keepsAlive = false;
    // What comes behind the end is no part of the answer.
    if (this.#isWhole) return undefined;
    const isLong = this.#bytes > HEAD_BYTES_MAX;
    const message = isLong ? 'its headers are over the limit of 64 KiB' : 'what it says is not HTTP/1.1';
    return Object.assign(new Error(message), { code: isLong ? 'HEADERS_TOO_LONG' : `HPE_${code}` });
  }

  onBegin(): number {
    if (this.#isWhole) return STOP;
    this.#bytes = 0;
    this.#phrase = '';
    this.#lines = [];
    return 0;
  }

  onStatus(start: number, end: number): number {
    this.#phrase += this.#text(start, end);
    return this.#isTooLong(end - start);
  }

  onName(start: number, end: number): number {
    const lines = this.#lines;
    const text = this.#text(start, end);
    if (lines.length % 2 === 0) lines.push(text);
    else lines[lines.length - 1] += text;
    return this.#isTooLong(end - start);
  }

  onValue(start: number, end: number): number {
    const lines = this.#lines;
    const text = this.#text(start, end);
    if (lines.length % 2 === 1) lines.push(text);
    else lines[lines.length - 1] += text;
    return this.#isTooLong(end - start);
  }

  onHeadersComplete(status: number, isUpgrade: boolean, keepsAlive: boolean): number {
    // Nobody asked for another protocol.
    if (isUpgrade) return STOP;
    const raw = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    // Interim answers are the program's business with us.
    this.#isInterim = status < 200;
    if (this.#isInterim) return 1;
    this.#keepsAlive = keepsAlive;
    this.#head = { status, phrase: this.#phrase, raw };
    return this.#isHead ? 1 : 0;
  }

  onBody(start: number, end: number): number {
    this.#body ??= [];
    this.#body.push(Buffer.from(this.#input.subarray(start, end)));
    return 0;
  }

  onComplete(): number {
    if (!this.#isInterim) this.#isWhole = true;
    return 0;
  }

  #text(start: number, end: number): string {
    return this.#input.toString('latin1', start, end);
  }

  #isTooLong(bytes: number): number {
    this.#bytes += bytes;
    return this.#bytes > HEAD_BYTES_MAX ? STOP : 0;
  }
}
