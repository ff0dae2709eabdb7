/** `GET /v1/models` and `GET /v1/models/{id}` in OpenAI's shape. */
export interface ListedModel {
  readonly id: string
  readonly createdMs: number
}

export function renderModels(models: readonly ListedModel[]): string {
  return JSON.stringify({ object: 'list', data: models.map(modelObject) })
}

export function renderModel(model: ListedModel): string {
  return JSON.stringify(modelObject(model))
}

function modelObject({ id, createdMs }: ListedModel) {
  return { id, object: 'model', created: Math.floor(createdMs / 1000), owned_by: 'tokenfactory' }
}
