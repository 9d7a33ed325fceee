/// <reference path="./llhttp-wasm.d.ts" />

import wasm from 'undici/lib/llhttp/llhttp-wasm.js';

/** What llhttp calls while it reads, with positions in what it was given. 0: go on; otherwise it fails. */
export interface Reader {
  onBegin(): number;
  onStatus(start: number, end: number): number;
  onName(start: number, end: number): number;
  onValue(start: number, end: number): number;
  /** 1: there is no body, whatever the headers say. */
  onHeadersComplete(status: number, isUpgrade: boolean, keepsAlive: boolean): number;
  onBody(start: number, end: number): number;
  onComplete(): number;
}

/** llhttp for answers, by its own rules, none of them loosened. One for all connections. */
export interface Llhttp {
  /** A parser of answers, to be freed. */
  make(): number;
  free(parser: number): void;
  /** Reads on. `bytes` fit into `bytesMax`. Gives 0, or the number of the error. */
  execute(parser: number, reader: Reader, bytes: Uint8Array): number;
  /** The connection has ended. Gives as `execute`. */
  finish(parser: number, reader: Reader): number;
}

/** `llhttp_type_t` of an answer. */
const RESPONSE = 2;

interface Exports {
  memory: { buffer: ArrayBuffer };
  malloc(bytes: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_finish(parser: number): number;
}

/** @param bytesMax that are read at once */
export function createLlhttp(bytesMax: number): Llhttp {
  let reader: Reader | undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
    env: {
      wasm_on_url: () => 0,
      wasm_on_message_begin: () => reader?.onBegin() ?? -1,
      wasm_on_status: (_: number, at: number, length: number) =>
        reader?.onStatus(at - input, at - input + length) ?? -1,
      wasm_on_header_field: (_: number, at: number, length: number) =>
        reader?.onName(at - input, at - input + length) ?? -1,
      wasm_on_header_value: (_: number, at: number, length: number) =>
        reader?.onValue(at - input, at - input + length) ?? -1,
      wasm_on_headers_complete: (_: number, status: number, upgrade: number, keepsAlive: number) =>
        reader?.onHeadersComplete(status, upgrade === 1, keepsAlive === 1) ?? -1,
      wasm_on_body: (_: number, at: number, length: number) =>
        reader?.onBody(at - input, at - input + length) ?? -1,
      wasm_on_message_complete: () => reader?.onComplete() ?? -1,
    },
  }) as unknown as { exports: Exports };
  const input = exports.malloc(bytesMax);
  let memory = new Uint8Array(exports.memory.buffer);

  return {
    make: () => exports.llhttp_alloc(RESPONSE),
    free: (parser) => exports.llhttp_free(parser),
    execute(parser, to, bytes) {
      // Grown, it is another.
      if (memory.buffer !== exports.memory.buffer) memory = new Uint8Array(exports.memory.buffer);
      memory.set(bytes, input);
      reader = to;
      try {
        return exports.llhttp_execute(parser, input, bytes.length);
      } finally {
        reader = undefined;
      }
    },
    finish(parser, to) {
      reader = to;
      try {
        return exports.llhttp_finish(parser);
      } finally {
        reader = undefined;
      }
    },
  };
}
