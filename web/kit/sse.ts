/** Feeds text as it arrives and calls back once per event with its `data` lines joined, as the HTML standard's event stream says. */
export function createEventParser(onData: (data: string) => void): (text: string) => void {
  let rest = ''
  let data: string[] = []
  return (text) => {
    rest += text
    for (;;) {
      const end = rest.search(/[\r\n]/)
      // A lone CR at the end of what has arrived may be half of a CRLF: wait for the other half.
      if (end < 0 || (rest.charAt(end) === '\r' && end === rest.length - 1)) return
      const line = rest.slice(0, end)
      rest = rest.slice(rest.startsWith('\r\n', end) ? end + 2 : end + 1)
      if (line === '') {
        if (data.length > 0) onData(data.join('\n'))
        data = []
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line.startsWith('data: ') ? 6 : 5))
      }
    }
  }
}
