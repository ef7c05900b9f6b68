/**
 * Logging in: with the code of a link, with the local token, or with a key of the operator or owner.
 */
import { type Child, h } from './dom.ts'

interface Failure {
  readonly error?: { readonly message?: string; readonly reason?: string }
}

/** Asks for a session; the reason when it was refused. */
export const logIn = async (
  body: Readonly<Record<string, string>>,
): Promise<string | undefined> => {
  const response = await fetch('/api/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.ok) return undefined
  const failure: Failure = await response.json().catch(() => ({}))
  return failure.error?.reason ?? failure.error?.message ?? `status ${response.status}`
}

/** Takes the code out of the address, so that it stays in no history. */
export const takeCode = (): string | undefined => {
  const code = /^#([\w-]{43})$/.exec(location.hash)?.[1]
  if (code !== undefined) history.replaceState(null, '', location.pathname)
  return code
}

const challenge = async (): Promise<string> => {
  const response = await fetch('/api/challenge')
  const { challenge: text }: { readonly challenge?: string } = await response.json()
  return text ?? ''
}

const field = (form: HTMLElement, name: string): string =>
  form.querySelector<HTMLInputElement>(`[name="${name}"]`)?.value ?? ''

export interface LoginOptions {
  readonly wrong: string | undefined
  readonly onDone: () => void
}

export const loginPanel = async ({ wrong, onDone }: LoginOptions): Promise<readonly Child[]> => {
  const said = h('p', { class: 'wrong', role: 'alert' }, wrong)
  const text = await challenge()
  const form = (
    body: (form: HTMLElement) => Readonly<Record<string, string>>,
    ...parts: Child[]
  ) => {
    const made: HTMLElement = h('form', {}, ...parts)
    made.addEventListener('submit', (event) => {
      event.preventDefault()
      void logIn(body(made)).then((reason) => {
        if (reason === undefined) onDone()
        else said.textContent = reason
      })
    })
    return made
  }
  const button = (): HTMLElement => h('button', { class: 'main', type: 'submit' }, 'Log in')
  return [
    h('h2', {}, 'Log in'),
    h('p', {}, 'The quickest way is a link that works once:'),
    h('pre', {}, 'holdfast-provider dashboard --home <dir>'),
    said,
    form(
      (made) => ({ token: field(made, 'token') }),
      h('label', { for: 'token' }, 'With the local token, from dashboard.token in the home'),
      h('input', {
        id: 'token',
        name: 'token',
        type: 'password',
        autocomplete: 'off',
        required: true,
      }),
      button(),
    ),
    form(
      (made) => ({ challenge: text, signature: field(made, 'signature') }),
      h('label', { for: 'signature' }, "With the operator's key: sign this, paste the signature"),
      h('pre', { id: 'challenge' }, `holdfast-provider dashboard --home <dir> --sign '${text}'`),
      h('textarea', {
        id: 'signature',
        name: 'signature',
        rows: 2,
        spellcheck: 'false',
        required: true,
      }),
      button(),
    ),
  ]
}
