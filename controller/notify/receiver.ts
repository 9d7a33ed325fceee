/** In which form a receiver is told. */
export const FORMS = ['json', 'slack', 'ntfy'] as const;

export type Form = (typeof FORMS)[number];

/** Who is told of Warning events. */
export interface Receiver {
  /** http or https. All of it but its host may be a secret, and is shown nowhere. */
  url: URL;
  form: Form;
}
