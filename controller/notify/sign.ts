import { createHmac } from 'node:crypto';

/** The header that a signature stands in. */
export const SIGNATURE_HEADER = 'X-Hersh-Signature-256';

/** Of the body's bytes, as GitHub does it, so that what checks those can check ours. */
export function signatureOf(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
