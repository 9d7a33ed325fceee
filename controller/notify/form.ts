import { timestamp } from '../../schemas/program.ts';
import type { Notice, Teller } from './notice.ts';
import type { Form } from './receiver.ts';
import { SIGNATURE_HEADER, signatureOf } from './sign.ts';

/** Of a message, in bytes: what Slack shows in one piece, and what ntfy takes as a message (4,096) and not as a file. */
const BYTES_MAX = { json: 16_384, slack: 3_000, ntfy: 3_900 } as const satisfies Record<Form, number>;

/** One request, but for where it goes. */
export interface Letter {
  headers: Record<string, string>;
  body: string;
}

export interface LetterOptions {
  form: Form;
  teller: Teller;
  /** Signs what is JSON; the services of the other forms check nothing. */
  secret: string | undefined;
  /** Of this try, epoch milliseconds: it is signed too, so that nobody can send it once more later. */
  nowMs: number;
}

export function letterOf(notice: Notice, { form, teller, secret, nowMs }: LetterOptions): Letter {
  const message = shortened(notice.message, BYTES_MAX[form]);
  const id = { 'X-Hersh-Delivery': notice.id };
  if (form === 'ntfy') return { headers: { ...id, ...ntfyHeaders(notice, teller) }, body: message };
  const sent = { sent_at: timestamp(nowMs), ...teller, type: 'Warning', ...notice, message };
  const body = JSON.stringify(form === 'json' ? sent : { text: slackText({ ...notice, message }, teller) });
  const signed = form === 'json' && secret !== undefined;
  const signature = signed ? { [SIGNATURE_HEADER]: signatureOf(secret, body) } : {};
  return { headers: { 'Content-Type': 'application/json', ...id, ...signature }, body };
}

function titleOf({ program, reason, repeated }: Notice, { host, instance }: Teller): string {
  const about = program === '' ? 'the host' : program;
  const again = repeated === 0 ? '' : `, ${repeated} more times since it was told last`;
  return `${reason}: ${about} (${instance} on ${host}${again})`;
}

/** The output of a program can call nobody: what Slack and its likes read as a mention is none in a block of code. */
function slackText(notice: Notice, teller: Teller): string {
  const escaped = (text: string) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `*${escaped(titleOf(notice, teller))}*\n\`\`\`\n${escaped(notice.message.replaceAll('`', "'"))}\n\`\`\``;
}

function ntfyHeaders(notice: Notice, teller: Teller): Record<string, string> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    Title: titleOf(notice, teller).replaceAll(/[^\x20-\x7e]/g, '?'),
    Priority: 'high',
    Tags: 'warning',
  };
}

/** Its begin says what happened, and its end has the last lines of output: what is left out is the middle. */
function shortened(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  const head = Math.floor(bytesMax / 3);
  const gap = '\n…\n';
  const tail = bytesMax - head - Buffer.byteLength(gap);
  // A character that was cut through is left out.
  const whole = (part: Uint8Array) => new TextDecoder().decode(part).replaceAll(/^\ufffd+|\ufffd+$/g, '');
  return `${whole(bytes.subarray(0, head))}${gap}${whole(bytes.subarray(bytes.length - tail))}`;
}
