/**
 * Whether the absence of manifests is believed. A handful of files removed is somebody's wish; a folder that
 * lost most of them is more likely an unmounted disk or a checkout gone wrong, and then everything keeps running
 * until the files return or somebody confirms.
 * @param known how many programs there were
 * @param missing how many of them are gone without a stated wish
 */
export function pruningPauses(known: number, missing: number): boolean {
  return (known >= 2 && missing === known) || (missing >= 3 && missing * 2 > known);
}
