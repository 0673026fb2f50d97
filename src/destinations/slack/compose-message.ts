/** From a template and a delivery to what Slack takes as a message. */
import { type Filling, fillTemplate } from '../messages/fill-template.ts'
import type { Template } from '../messages/template.ts'

/** Slack cuts longer ones itself, and says nothing. */
const maxTextChars = 40_000
/** Slack refuses a message without text. */
const nothingToShow = '(nothing to show)'

export function composeSlackMessage(template: Template, filling: Filling): { readonly text: string } {
  const text = fillTemplate(template, filling, { maxChars: maxTextChars, escapeValue: escapeSlack, mendCut })
  return { text: text.trim() === '' ? nothingToShow : text }
}

/** Mentions, links and entities of Slack begin with these three, so that what a payload says is text and nothing else. */
function escapeSlack(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function mendCut(cut: string): string {
  return cut.endsWith('…') ? cut.replace(/&[a-z]{0,3}…$/, '…') : cut
}
