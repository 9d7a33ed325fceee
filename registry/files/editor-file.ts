/** What editors lay beside a file that is open or being saved, and take away again. */
const EDITORS: readonly RegExp[] = [
  // vim 9.0: the swap files of `x` are `.x.swp`, `.x.swo`, …, those of no file `.swp`; it tries a folder with `4913`.
  /^\.(.+\.)?sw[a-p]$/,
  /^4913$/,
  // vim, Emacs, gedit: the file as it was.
  /~$/,
  // Emacs 28: who edits it, and what was saved meanwhile.
  /^\.#/,
  /^#.*#$/s,
  // JetBrains IDEs since 2012, when "safe write" is on.
  /___jb_(tmp|old|bak)___$/,
  // GLib 2.74, with which gedit and others write.
  /^\.goutputstream-/,
];

/** Whether a file of that name is an editor's own, and none of what somebody edits. */
export function isEditors(base: string): boolean {
  return EDITORS.some((pattern) => pattern.test(base));
}
