/** Both doors decide alike: the same answers, the same failures, the same audit records. */

import { afterAll, beforeAll, test } from 'vitest'
import { GRANT_SCENARIOS } from './grants.ts'
import { KIND_SCENARIOS } from './kinds.ts'
import { playAlike, type Stage, startStage } from './play.ts'
import { SCENARIOS } from './scenarios.ts'

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage.service.stop())

test.each([...SCENARIOS, ...KIND_SCENARIOS, ...GRANT_SCENARIOS])('P6: $name', async (scenario) => {
  await playAlike(stage, scenario)
})
