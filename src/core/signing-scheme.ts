import type { HmacForm } from '../verify/forms/hmac-form.ts'

/** Schemes that are known by a name; `core/signing.ts` says what each is. */
export type NamedScheme =
  | 'standard'
  | 'hookrail'
  | 'pyfly'
  | 'github'
  | 'stripe'
  | 'shopify'
  | 'slack'
  | 'none'

/** HMAC-SHA256 in a form of the user's own, keyed with the whole text of the secret. */
export interface HmacScheme extends HmacForm {
  readonly type: 'hmac'
}

export type SigningScheme = NamedScheme | HmacScheme

/** As a user may write it: what is left out is no prefix, `hex`, the body alone, one signature, no further headers. */
export type SigningSchemeInput = NamedScheme | (Pick<HmacScheme, 'type' | 'header'> & Partial<HmacForm>)
