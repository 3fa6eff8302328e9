// Server-sent events of a fetch response: yields {comment} and {data}.

export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data:')) yield { data: line.slice(5).trim() };
      else if (line.startsWith(':')) yield { comment: line.slice(1).trim() };
    }
  }
}
