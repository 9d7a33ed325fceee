/** A file as the API takes it; undefined for one that is no text (UTF-8): JSON has no place for its bytes. */
export async function readText(blob: Blob): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await blob.arrayBuffer());
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const encoder = new TextEncoder();

/** What a file costs of the body, in bytes: its name and its text in JSON. */
export function costOf(name: string, text: string): number {
  return encoder.encode(`${JSON.stringify(name)}:${JSON.stringify(text)},`).length;
}

/**
 * Whether a text that the host gave was no text: it is told as one all the same, with this sign for each byte that it
 * can not tell.
 */
export function isBroken(text: string): boolean {
  return text.includes('\ufffd');
}
