import { type EditorState, type Extension, RangeSet, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  GutterMarker,
  gutterLineClass,
  WidgetType,
} from '@codemirror/view';
import { briefProblem, type TextProblem } from './problem.ts';

/** Problems in the text itself: the line is tinted, and what is wrong stands at its end. */

/** All that are known now; they stay at their lines while others are typed. */
export const setProblems = StateEffect.define<readonly TextProblem[]>();

const line = Decoration.line({ class: 'cm-problem' });

/** The tint reaches under the number of the line. */
class LineMark extends GutterMarker {
  override elementClass = 'cm-problem-line';
}

const lineMark = new LineMark();

class Says extends WidgetType {
  readonly words: string;

  constructor(words: string) {
    super();
    this.words = words;
  }

  override eq(other: Says): boolean {
    return other.words === this.words;
  }

  /** The list below says the same to screen readers: in the text it would be read as text. */
  override toDOM(): HTMLElement {
    const place = document.createElement('span');
    place.className = 'cm-problem-says';
    place.setAttribute('aria-hidden', 'true');
    place.append(sign(), this.words);
    return place;
  }
}

/** The triangle of `parts/glyph.tsx`, which the editor can not draw by itself. */
function sign(): SVGElement {
  const make = (tag: string, attributes: Record<string, string>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag) as SVGElement;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const svg = make('svg', { viewBox: '0 0 14 14' });
  svg.append(
    make('path', { d: 'M7 .9 13.7 12.9H.3Z' }),
    make('path', { d: 'M7 4.9v4M7 10.3v1.2', class: 'knock' }),
  );
  return svg;
}

function marksOf(state: EditorState, problems: readonly TextProblem[]): DecorationSet {
  const byLine = new Map<number, string[]>();
  for (const problem of problems) {
    const number = Math.min(problem.line ?? 0, state.doc.lines);
    if (number < 1) continue;
    byLine.set(number, [...(byLine.get(number) ?? []), briefProblem(problem)]);
  }
  const marks = [...byLine].flatMap(([number, words]) => {
    const { from, to } = state.doc.line(number);
    const widget = new Says(words.join('; '));
    return [line.range(from), Decoration.widget({ widget, side: 1 }).range(to)];
  });
  return Decoration.set(marks, true);
}

function gutterMarks(marks: DecorationSet): RangeSet<GutterMarker> {
  const lines: number[] = [];
  marks.between(0, Number.MAX_SAFE_INTEGER, (from, _, { spec }) => {
    if (spec.class !== undefined) lines.push(from);
  });
  return RangeSet.of(lines.map((from) => lineMark.range(from)));
}

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects)
      if (effect.is(setProblems)) return marksOf(transaction.state, effect.value);
    return marks.map(transaction.changes);
  },
  provide: (own) => [
    EditorView.decorations.from(own),
    gutterLineClass.from(own, gutterMarks),
    EditorView.contentAttributes.of((view) => ({
      'aria-invalid': String((view.state.field(own, false)?.size ?? 0) > 0),
    })),
  ],
});

export const problemMarks: Extension = field;
