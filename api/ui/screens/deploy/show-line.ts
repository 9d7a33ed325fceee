import { editDraft } from './deploy-state.ts';

/** Opens the Dockerfile at a line, and marks it. @param line counted from 1 */
export function showLine(line: number): void {
  editDraft({ open: 'Dockerfile' });
  // The field is there a moment later.
  requestAnimationFrame(() => {
    const field = document.getElementById('file-text');
    if (!(field instanceof HTMLTextAreaElement)) return;
    const { from, to } = lineAt(field.value, line);
    field.focus();
    field.setSelectionRange(from, to);
    field.scrollTop = ((line - 3) / field.value.split('\n').length) * field.scrollHeight;
  });
}

/** Where a line begins and ends in a text. */
export function lineAt(text: string, line: number): { from: number; to: number } {
  const lines = text.split('\n');
  const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return { from, to: from + (lines[line - 1]?.length ?? 0) };
}
