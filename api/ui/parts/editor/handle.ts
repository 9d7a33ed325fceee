import type { TextProblem } from './problem.ts';

export interface EditorOptions {
  /** With line feeds alone, as all texts of an editor. */
  text: string;
  label: string;
  language: 'yaml' | 'text';
  readOnly: boolean;
  /** What was typed, or undone; not what `setText` puts. */
  onChange: (text: string) => void;
  /** Ctrl+Enter. Gives whether that did anything. */
  onSubmit: () => boolean;
}

/** An editor, whatever it is made of. */
export interface EditorHandle {
  /** Can be undone as what is typed. */
  setText(text: string): void;
  setProblems(problems: readonly TextProblem[]): void;
  setReadOnly(isReadOnly: boolean): void;
  /** From 1. */
  goTo(line: number, column?: number): void;
  focus(): void;
  /** To be called when it is seen again. */
  measure(): void;
  close(): void;
}
