import { editDraft } from './deploy-state.ts';
import { lineAt } from './line-at.ts';

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
