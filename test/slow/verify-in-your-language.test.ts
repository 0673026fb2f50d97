/** Runs each recipe of docs/guides/verify-in-your-language.md whose language is on this machine. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readRecipes } from '../../src/dashboard/portal/recipes.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const page = new URL('../../docs/guides/verify-in-your-language.md', import.meta.url)
const recipes = new Map(readRecipes(readFileSync(page, 'utf8')).map(({ language, code }) => [language, code]))
const folder = mkdtempSync(join(tmpdir(), 'outhook-recipes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Each reads cases from a file, a line of `id, timestamp, signatures, body` in hexadecimal, and prints true or false for each. */
interface Language {
  readonly name: string
  readonly file: string
  readonly probe: readonly [string, ...string[]]
  /** Around the recipe. */
  readonly program: (recipe: string) => string
  readonly run: (file: string, cases: string) => readonly [string, ...string[]]
  /** Beside it. */
  readonly other?: readonly [file: string, text: string]
}

const languages: readonly Language[] = [
  {
    name: 'JavaScript',
    file: 'verify.mjs',
    probe: [process.execPath, '--version'],
    program: (recipe) => `${recipe}
import { readFileSync } from 'node:fs'
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\\n')) {
  const [id, time, signature, body] = line.split(' ').map((part) => Buffer.from(part, 'hex'))
  const headers = { 'webhook-id': String(id), 'webhook-timestamp': String(time), 'webhook-signature': String(signature) }
  console.log(verify(headers, body))
}`,
    run: (file, cases) => [process.execPath, file, cases],
  },
  {
    name: 'Python',
    file: 'verify.py',
    probe: ['python3', '--version'],
    program: (recipe) => `${recipe}

import sys
for line in open(sys.argv[1]):
    id, time_, signature, body = [bytes.fromhex(part) for part in line.strip().split(" ")]
    headers = {"webhook-id": id.decode(), "webhook-timestamp": time_.decode(), "webhook-signature": signature.decode()}
    print(str(verify(headers, body)).lower())`,
    run: (file, cases) => ['python3', file, cases],
  },
  {
    name: 'Ruby',
    file: 'verify.rb',
    probe: ['ruby', '--version'],
    program: (recipe) => `${recipe}
File.foreach(ARGV[0]) do |line|
  id, time, signature, body = line.strip.split(" ").map { |part| [part].pack("H*") }
  puts verify({ "webhook-id" => id, "webhook-timestamp" => time, "webhook-signature" => signature }, body)
end`,
    run: (file, cases) => ['ruby', file, cases],
  },
  {
    name: 'PHP',
    file: 'verify.php',
    probe: ['php', '--version'],
    program: (recipe) => `${recipe}
foreach (file($argv[1]) as $line) {
    [$id, $time, $signature, $body] = array_map('hex2bin', explode(' ', trim($line)));
    $headers = ['webhook-id' => $id, 'webhook-timestamp' => $time, 'webhook-signature' => $signature];
    echo verify($headers, $body) ? 'true' : 'false', "\\n";
}`,
    run: (file, cases) => ['php', file, cases],
  },
  {
    name: 'Go',
    file: 'verify.go',
    probe: ['go', 'version'],
    program: (recipe) => recipe,
    other: [
      'main.go',
      `package main

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	cases, _ := os.ReadFile(os.Args[len(os.Args)-1])
	for _, line := range strings.Split(strings.TrimSpace(string(cases)), "\\n") {
		var parts [][]byte
		for _, part := range strings.Split(line, " ") {
			bytes, _ := hex.DecodeString(part)
			parts = append(parts, bytes)
		}
		headers := http.Header{}
		headers.Set("webhook-id", string(parts[0]))
		headers.Set("webhook-timestamp", string(parts[1]))
		headers.Set("webhook-signature", string(parts[2]))
		fmt.Println(Verify(headers, parts[3]))
	}
}
`,
    ],
    run: (file, cases) => ['go', 'run', file, join(file, '..', 'main.go'), cases],
  },
  {
    name: 'Java',
    file: 'Main.java',
    probe: ['java', '-version'],
    program: (recipe) => {
      // Imports come first, and the first class of a file that is run at once is the one that runs.
      const imports = recipe.match(/^import .*;$/gm) ?? []
      const rest = recipe.replace(/^import .*;\n/gm, '').replace('public class', 'class')
      return `${imports.join('\n')}
class Main {
  public static void main(String[] args) throws Exception {
    for (String line : java.nio.file.Files.readAllLines(java.nio.file.Path.of(args[0]))) {
      String[] parts = line.split(" ");
      byte[][] bytes = new byte[4][];
      for (int at = 0; at < 4; at++) bytes[at] = java.util.HexFormat.of().parseHex(parts[at]);
      System.out.println(Verify.verify(Map.of("webhook-id", new String(bytes[0]), "webhook-timestamp", new String(bytes[1]),
          "webhook-signature", new String(bytes[2])), bytes[3]));
    }
  }
}
${rest}`
    },
    run: (file, cases) => ['java', file, cases],
  },
]

async function writeCases(): Promise<string> {
  const { Webhook } = await import('standardwebhooks')
  const signer = new Webhook(secret)
  const body = '{"order":"größer"}'
  const now = new Date()
  const old = new Date(Date.now() - 600_000)
  const seconds = (at: Date) => String(Math.floor(at.getTime() / 1000))
  const right = signer.sign('evt_1', now, body)
  const cases = [
    ['evt_1', seconds(now), right, body],
    ['evt_1', seconds(now), `v1,${'A'.repeat(43)}= ${right}`, body],
    ['evt_1', seconds(now), right, `${body} `],
    ['evt_2', seconds(now), right, body],
    ['evt_1', seconds(now), right.slice(0, -2), body],
    ['evt_1', seconds(now), right.replace('v1,', 'v1a,'), body],
    ['evt_1', seconds(old), signer.sign('evt_1', old, body), body],
  ]
  const file = join(folder, 'cases.txt')
  const lines = cases.map((parts) => parts.map((part) => Buffer.from(part).toString('hex')).join(' '))
  writeFileSync(file, lines.join('\n'))
  return file
}

function isThere([program, ...args]: Language['probe']): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a recipe takes what is signed, and nothing that was changed or is old', () => {
  test.for(languages)('in $name', { timeout: 300_000 }, async (language, { skip }) => {
    skip(!isThere(language.probe), `${language.name} is not on this machine`)
    const recipe = (recipes.get(language.name) ?? '').replace('whsec_REPLACE_ME', secret)
    const file = join(folder, language.file)
    writeFileSync(file, language.program(recipe))
    if (language.other !== undefined) writeFileSync(join(folder, language.other[0]), language.other[1])
    const [program, ...args] = language.run(file, await writeCases())
    const out = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    const found = out.trim().split(/\s+/)
    expect(found).toEqual(['true', 'true', 'false', 'false', 'false', 'false', 'false'])
  })
})
