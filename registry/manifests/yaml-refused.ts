/** A text that is valid YAML, and no manifest whatever it says. The message is a sentence of its own. */
export class YamlRefused extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}
