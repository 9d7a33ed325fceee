/** One server-sent event. */
export interface ServerSentEvent {
  /** The last id that came, as `Last-Event-ID` takes it; `""` for none. */
  id: string;
  /** `message` where it names none. */
  type: string;
  data: string;
}

/** The events of a stream of bytes, by the HTML standard; what breaks off in the midst of one is left out. */
export async function* serverSentEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let id = '';
  let type = '';
  let data: string[] = [];
  for await (const line of lines(bytes)) {
    if (line === '') {
      if (data.length > 0) yield { id, type: type === '' ? 'message' : type, data: data.join('\n') };
      type = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
}

/** Whole lines, each without its end: LF, CR LF or CR. */
async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true });
    // The LF of a CR at the end may be still to come.
    const whole = text.split(/\r\n|\n|\r(?!$)/);
    text = whole.pop() ?? '';
    yield* whole;
  }
}
