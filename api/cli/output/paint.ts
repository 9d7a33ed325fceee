import type { Io, Out } from '../io/io.ts';

export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'dim' | 'bold';

const CODES: Record<Colour, [number, number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  dim: [2, 22],
  bold: [1, 22],
};

export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_colour, text) => text;

/** Colours on a terminal that takes them, unless `NO_COLOR` or `--no-color` say otherwise. */
export function paintFor({ env }: Pick<Io, 'env'>, out: Out, isWanted: boolean): Paint {
  const isOff = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  if (!isWanted || !out.isTTY || isOff) return plain;
  return (colour, text) => {
    const [on, off] = CODES[colour];
    return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

const GOOD = new Set(['Ready']);
const BAD = new Set(['Error', 'Deleted']);
const GOING = new Set(['Building', 'Built', 'Starting', 'Stopping', 'Running']);

export function stateColour(state: string): Colour {
  if (GOOD.has(state)) return 'green';
  if (BAD.has(state)) return 'red';
  return GOING.has(state) ? 'yellow' : 'dim';
}

/** What others wrote, as text of one line: nothing in it moves the cursor or changes a colour. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(CONTROL, '').trim();
}

/** The same, with its lines. */
export function harmless(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(CONTROL, '');
}

// All but tab and line feed.
const CONTROL = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
