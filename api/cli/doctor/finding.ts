/** One thing that was looked at. */
export interface Finding {
  /** e.g. `engine`, `disk`, `manifests`. */
  check: string;
  /** `warning`: programs run, and somebody should know. */
  status: 'ok' | 'warning' | 'failed';
  message: string;
  /** The command, or what else mends it; `""` where nothing is to be mended. */
  mend: string;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message, mend: '' });

export const warning = (check: string, message: string, mend: string): Finding => ({
  ...{ check, status: 'warning', message, mend },
});

export const failed = (check: string, message: string, mend: string): Finding => ({
  ...{ check, status: 'failed', message, mend },
});
