import type { Locator, Page } from 'playwright-core';

/** An editor that takes text, by what it edits. */
export function editorOf(page: Page, what: string): Locator {
  return page.getByRole('textbox', { name: `${what}. Tab indents` });
}

/** Puts text at its end, as if it were typed there. */
export async function typeAtEnd(editor: Locator, text: string): Promise<void> {
  await editor.press('Control+End');
  await editor.page().keyboard.insertText(text);
}

/** Puts text in the place of all that is there. */
export async function typeAnew(editor: Locator, text: string): Promise<void> {
  await editor.press('Control+a');
  await editor.page().keyboard.insertText(text);
}

/** What stands in it, without what is said at the end of its lines. */
export function textIn(editor: Locator): Promise<string> {
  return editor.evaluate((content) =>
    [...content.querySelectorAll('.cm-line')]
      .map((line) => {
        const own = line.cloneNode(true) as Element;
        for (const said of own.querySelectorAll('.cm-problem-says')) said.remove();
        return own.textContent ?? '';
      })
      .join('\n'),
  );
}
