import type { IncomingMessage, ServerResponse } from 'node:http';

/** `incoming` is there behind a real socket and missing under `app.request()`. */
export interface ApiEnv {
  Bindings: { incoming?: IncomingMessage; outgoing?: ServerResponse };
}
