import { useText } from './language.tsx'
import { Badge } from './layout.tsx'
import type { Tone } from './layout.tsx'
import { words } from './words.ts'

const tones: Readonly<Record<string, Tone>> = {
  completed: 'good',
  client_closed: 'warn',
  failed: 'bad',
  interrupted: 'bad',
}

/** How a request ended, in words and tone. */
export function EndingBadge({ ending }: { readonly ending: string }) {
  const { endings } = useText(words)
  return <Badge tone={tones[ending] ?? 'plain'}>{endings[ending] ?? ending}</Badge>
}
