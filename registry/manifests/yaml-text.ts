import { Document, isScalar, Scalar, type ToStringOptions, visit } from 'yaml';

/** One line a scalar, nothing folded, and quotes around what an older YAML takes for a date or a yes. */
const OPTIONS = {
  lineWidth: 0,
  flowCollectionPadding: false,
  doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  aliasDuplicateObjects: false,
  compat: 'yaml-1.1',
} as const;

/** Lines of block form, with the last line's end. */
export function blockText(value: unknown): string {
  return written(value, {});
}

/**
 * A value as one line, to stand behind its key.
 * @param like what stands there now: a string keeps its quotes
 */
export function inlineText(value: unknown, inFlow: boolean, like?: unknown): string {
  const styled = quotedLike(value, like);
  if (inFlow || (typeof value === 'object' && value !== null)) return flowText(styled);
  return written({ k: styled }, { blockQuote: false }).slice('k: '.length, -1);
}

/** `a: 1, b: 2`, to stand between braces; as JSON where those around it are. */
export function flowPairs(map: Readonly<Record<string, unknown>>, isJson: boolean): string {
  if (isJson) {
    const pairs = Object.entries(map).map(
      ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    );
    return pairs.join(', ');
  }
  return flowText(map).slice(1, -1);
}

/** A string as a block scalar of the same kind as `like`: its header, and its lines with two spaces in front. */
export function blockScalar(value: string, like: Scalar): { header: string; lines: string } {
  const scalar = new Scalar(value);
  scalar.type = like.type as Scalar.Type;
  const text = written({ k: scalar }, {}).slice('k: '.length, -1);
  const end = text.indexOf('\n');
  return end === -1
    ? { header: text, lines: '' }
    : { header: text.slice(0, end), lines: text.slice(end + 1) };
}

export function isBlockScalar(node: unknown): node is Scalar {
  return isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
}

function flowText(value: unknown): string {
  return written([value], { collectionStyle: 'flow' }).slice(1, -2);
}

/** With no string over several lines but in a block. */
function written(value: unknown, options: ToStringOptions): string {
  const isInline = options.blockQuote === false || options.collectionStyle === 'flow';
  const document = new Document(value, OPTIONS);
  visit(document, {
    Scalar(_, scalar) {
      const text = scalar.value;
      if (typeof text !== 'string' || !text.includes('\n')) return;
      if (isInline || !fitsBlock(text)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ ...OPTIONS, ...options });
}

/** In a block the library loses the blanks of a line that has nothing else. */
function fitsBlock(text: string): boolean {
  return !/^\s|\n[ \t]+(?:\n|$)/.test(text);
}

function quotedLike(value: unknown, like: unknown): unknown {
  if (typeof value !== 'string' || !isScalar(like)) return value;
  if (like.type !== Scalar.QUOTE_SINGLE && like.type !== Scalar.QUOTE_DOUBLE) return value;
  const scalar = new Scalar(value);
  scalar.type = like.type;
  return scalar;
}
