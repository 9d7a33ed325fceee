/** A part of a path as it is meant: decoded once, by whoever reads it; as it stands where it can not be decoded. */
export function decodeOnce(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
