/** What is dropped on one screen and is for another. */

let handed: readonly FileSystemEntry[] | undefined;

/**
 * The files and folders of a drop; none where it was text or a link. Has to be called before anything is awaited: the
 * browser takes the list away when its event ends.
 */
export function entriesOf(data: DataTransfer | null): FileSystemEntry[] {
  return [...(data?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? []);
}

/** For the screen that is gone to next. */
export function hand(entries: readonly FileSystemEntry[]): void {
  handed = entries;
}

/** What was handed over; once. */
export function takeHanded(): readonly FileSystemEntry[] | undefined {
  const now = handed;
  handed = undefined;
  return now;
}
