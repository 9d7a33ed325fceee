/** Gives text as a file. */
export function saveAs(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = name;
  link.click();
  // Not before it was begun with.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
