/** What each class of error means and what to do about it: the one table of these sentences. Pure. */

export interface ErrorWords {
  /** What happened. */
  readonly what: string
  /** What whoever looks at it can do. */
  readonly todo: string
}

/** Of classes that are no answer of HTTP. */
export const plainErrorWords: Readonly<Record<string, ErrorWords>> = {
  timeout: {
    what: 'The receiver did not answer in the time that one attempt may take.',
    todo: 'It should answer at once and do its work afterwards; if it cannot, give the endpoint a longer timeout.',
  },
  connection: {
    what: 'No connection came about, or it broke before an answer was there.',
    todo: 'See that the receiver runs, that its port is open to this server, and that no firewall or proxy between them ends connections.',
  },
  dns: {
    what: 'The name of the host could not be resolved.',
    todo: 'Check the spelling of the URL, and that the name is known to the name server that this server asks.',
  },
  tls: {
    what: 'The connection could not be made secure: the certificate, its host name, its date or its chain is not as it has to be.',
    todo: 'Have the receiver send a certificate of this host that is in date, with all of its chain; for one of your own authority give the endpoint a client certificate with that authority.',
  },
  redirect_rejected: {
    what: 'The receiver sent a redirect, which is never followed: a signed event goes nowhere but to the URL that was given.',
    todo: 'Give the endpoint the URL that the redirect leads to, which is in the header "location" of the answer.',
  },
  policy: {
    what: 'The request was not made: this server or the tenant may not send to that address.',
    todo: 'Check the host of the URL; what is allowed is in the settings of the server (networks, http) and in the domains of the tenant.',
  },
  internal: {
    what: 'The request could not be made, which is a fault on this side and none of the receiver. It uses up no attempt.',
    todo: 'Read the error: mostly it is a secret or a credential that cannot be read. It is tried again within a minute by itself.',
  },
  attempts_exhausted: {
    what: 'Every attempt that the retry policy allows has failed.',
    todo: 'See what the attempts below say, have that mended, and send it again.',
  },
}

const byStatus: Readonly<Record<number, ErrorWords>> = {
  400: {
    what: 'The receiver calls the request malformed.',
    todo: 'Compare the payload with what the receiver expects; its answer may say what it misses.',
  },
  401: {
    what: 'The receiver does not know who sends, or found the signature wrong.',
    todo: 'See that it verifies with the secret of this endpoint, or that the credential of the endpoint is the right one and has not expired.',
  },
  403: {
    what: 'The receiver, or a firewall before it, refuses the sender.',
    todo: 'Have the address of this server let in, and check the secret and the credential of the endpoint.',
  },
  404: {
    what: 'There is nothing at this path of the receiver.',
    todo: 'Check the path of the URL, and whether the receiver has been moved.',
  },
  405: {
    what: 'The receiver does not take this method at its path.',
    todo: 'Check the method and the path of the endpoint.',
  },
  408: {
    what: 'The receiver gave up waiting for the request.',
    todo: 'Nothing, if it passes; otherwise look at what is between this server and the receiver.',
  },
  409: {
    what: 'The receiver says that this contradicts what it has.',
    todo: 'Mostly it has had the event before: then a 2xx would be the right answer to it.',
  },
  410: {
    what: 'The receiver wants no more events, and the endpoint was disabled by it.',
    todo: 'Ask its owner; enable the endpoint if that was a mistake.',
  },
  413: {
    what: 'The payload is larger than the receiver takes.',
    todo: 'Raise its limit to at least 256 KiB, or publish less.',
  },
  415: {
    what: 'The receiver does not take this type of content.',
    todo: 'Check the content type of the endpoint.',
  },
  422: {
    what: 'The receiver understood the event and does not accept what it says.',
    todo: 'Its answer should say why; compare the payload with what it expects.',
  },
  425: {
    what: 'The receiver does not want the event as early as this.',
    todo: 'Nothing: it is tried again.',
  },
  429: {
    what: 'The receiver has had too many requests, and is left alone for as long as it asked.',
    todo: 'Nothing, if it passes; otherwise give the endpoint a rate limit.',
  },
  500: {
    what: 'The receiver failed while it worked on the event.',
    todo: 'Its own log says why; once it is mended, send the event again if it has been given up.',
  },
  502: {
    what: 'The gateway before the receiver got no good answer from it.',
    todo: 'See that the receiver runs, and what the log of its gateway says.',
  },
  503: {
    what: 'The receiver, or its gateway, is out of service just now.',
    todo: 'Nothing, if it passes; otherwise see that the receiver runs and has enough capacity.',
  },
  504: {
    what: 'The gateway before the receiver waited too long for it.',
    todo: 'The receiver should answer at once and do its work afterwards.',
  },
}

/** The words for a class such as `timeout` or `http_503`. */
export function explainError(errorClass: string): ErrorWords {
  const plain = Object.hasOwn(plainErrorWords, errorClass) ? plainErrorWords[errorClass] : undefined
  if (plain !== undefined) return plain
  const status = Number(/^http_(\d{3})$/.exec(errorClass)?.[1])
  return byStatus[status] ?? explainStatus(status)
}

function explainStatus(status: number): ErrorWords {
  if (status >= 500) {
    return {
      what: `The receiver answered ${status}: something on its side failed.`,
      todo: 'See its log, and that of whatever stands before it.',
    }
  }
  if (status >= 400) {
    return {
      what: `The receiver answered ${status}: it does not accept the request as it is.`,
      todo: 'Its answer may say why; compare the request with what it expects.',
    }
  }
  if (Number.isInteger(status)) {
    return {
      what: `The receiver answered ${status}, which says neither that it took the event nor that it did not.`,
      todo: 'Have it answer 2xx when it has taken an event.',
    }
  }
  return {
    what: 'It failed for a reason that this page does not know; it may be older than the server.',
    todo: 'Load the page anew, and read the error of the attempt.',
  }
}
