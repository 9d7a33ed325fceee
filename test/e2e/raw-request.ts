import { type IncomingMessage, request } from 'node:http';

export interface RawAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

export interface RawRequest {
  method: string;
  /** As it goes on the wire: nothing is normalised. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** A body without end, in chunks of this size; sent until the answer comes. */
  endless?: Uint8Array;
}

/** What no well-behaved client would send. One connection, closed afterwards. */
export function rawRequest(url: string, asked: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answered = false;
    const { method, path, headers = {} } = asked;
    const req = request({ host: hostname, port, method, path, agent: false, headers }, (res) => {
      answered = true;
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => {
        req.destroy();
        const text = Buffer.concat(chunks).toString();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text });
      });
    });
    req.on('error', (error) => {
      if (!answered) reject(error);
    });
    if (asked.endless === undefined) {
      req.end(asked.body);
      return;
    }
    const { endless } = asked;
    const pump = (): void => {
      while (!answered && !req.destroyed) {
        if (!req.write(endless)) {
          req.once('drain', pump);
          return;
        }
      }
    };
    pump();
  });
}
