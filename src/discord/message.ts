/** What can be said to a Discord webhook. Objects that go to Discord as they are keep Discord's own names. */

export interface DiscordMessage {
  /** At most 2000 characters. */
  readonly content?: string | undefined
  /** At most 10, of at most 6000 characters in all. Plain, or any builder with a `toJSON`. */
  readonly embeds?: readonly (DiscordEmbed | EmbedBuilder)[] | undefined
  /** Instead of the name that the `DiscordWebhook` has, for this message. */
  readonly username?: string | undefined
  /** Of a picture, instead of the one that the `DiscordWebhook` has. */
  readonly avatarUrl?: string | undefined
  /** Who may be pinged by `content`. Default: nobody, whatever the text says. An empty object is sent as it is. */
  readonly allowedMentions?: AllowedMentions | undefined
  /** At most 10. */
  readonly files?: readonly DiscordFile[] | undefined
  /** Opens a thread of this name; for webhooks of forum channels. */
  readonly threadName?: string | undefined
  /** Ids of the tags of the new thread. */
  readonly appliedTags?: readonly string[] | undefined
  /** Read aloud. Default false. */
  readonly tts?: boolean | undefined
  /** Discord's bits: 4 shows no link previews, 4096 notifies nobody. */
  readonly flags?: number | undefined
  /** As Discord writes them. Buttons that do something work for the webhooks of an application only. */
  readonly components?: readonly unknown[] | undefined
  /** As Discord writes it. */
  readonly poll?: unknown
}

export interface DiscordEmbed {
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly url?: string | undefined
  /** 0 to 0xFFFFFF. */
  readonly color?: number | undefined
  /** Text in ISO 8601. */
  readonly timestamp?: string | Date | undefined
  readonly fields?: readonly DiscordEmbedField[] | undefined
  readonly footer?: { readonly text: string; readonly icon_url?: string | undefined } | undefined
  readonly author?:
    | { readonly name: string; readonly url?: string | undefined; readonly icon_url?: string | undefined }
    | undefined
  readonly image?: { readonly url: string } | undefined
  readonly thumbnail?: { readonly url: string } | undefined
}

export interface DiscordEmbedField {
  readonly name: string
  readonly value: string
  /** Beside its neighbours. Default false. */
  readonly inline?: boolean | undefined
}

/** As discord.js and others have them. */
export interface EmbedBuilder {
  toJSON(): unknown
}

export interface AllowedMentions {
  /** Kinds of mentions in the text that may ping. */
  readonly parse?: readonly ('roles' | 'users' | 'everyone')[]
  /** Ids. */
  readonly roles?: readonly string[]
  /** Ids. */
  readonly users?: readonly string[]
  readonly replied_user?: boolean
}

export interface DiscordFile {
  readonly name: string
  /** Text is sent in UTF-8. */
  readonly data: Uint8Array | string
  /** Default `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** For those who cannot see it. */
  readonly description?: string | undefined
}
