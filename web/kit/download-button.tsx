import { useMutation } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { download } from './api.ts'
import type { Query } from './api.ts'
import { useText } from './language.tsx'
import { describeProblem, problemText } from './problem-text.ts'

/** Saves a file. A refusal is told in words instead of being saved as if it were the file. */
export function DownloadButton({
  path,
  query,
  label,
}: {
  readonly path: string
  readonly query: Query
  readonly label: string
}) {
  const { message } = App.useApp()
  const problems = useText(problemText)
  const save = useMutation({
    mutationFn: () => download(path, query),
    onSuccess: ({ blob, name }) => {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(blob)
      link.download = name
      link.click()
      // The browser has opened the blob by then.
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    },
    onError: (error) => void message.error(describeProblem(error, problems).message),
  })
  return (
    <Button size="small" loading={save.isPending} onClick={() => save.mutate()}>
      {label}
    </Button>
  )
}
