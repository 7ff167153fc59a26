/** The spending of synthetic people: housing, utilities, subscriptions, shopping, travel and unexpected costs. */
import { dateOfDay, weekdayOfDay } from '../../modules/insights/civil-date.ts'
import { bankDay, type Diary } from './diary.ts'

/** Rent or a mortgage, paid automatically or by hand and sometimes late, with an occasional move. */
const addHome = (diary: Diary): void => {
  const { random, firstDay, lastDay } = diary
  const share = random.uniform(0.22, 0.36)
  const stay = (from: number, until: number, rentCents: number): void => {
    const landlord = random.pick([
      'OAKWOOD PROPERTY MGMT',
      'ROCKET MORTGAGE LOAN',
      'ZELLE TO LANDLORD MARIA',
      'GREYSTAR RENT',
      'WELLS FARGO HOME MTG'
    ])
    const byHand = random.chance(0.35)
    const increaseDay = from + random.integer(200, 420)
    diary.monthly(
      random.integer(1, 5),
      (day) => {
        const paid = byHand ? day + random.integer(-2, 3) : bankDay(day, 1)
        diary.write(paid, rentCents * (day >= increaseDay ? 1.04 : 1), `${landlord} ${random.integer(100000, 999999)}`)
      },
      from,
      until
    )
  }
  const rentCents = Math.round((diary.monthlyIncomeCents * share) / 500) * 500
  if (random.chance(0.75)) return stay(firstDay, lastDay, rentCents)
  const move = random.integer(firstDay + 30, lastDay)
  stay(firstDay, move, rentCents)
  diary.write(move, rentCents * random.uniform(0.5, 1.2), 'SECURITY DEPOSIT NEW HOME')
  diary.write(move + 1, random.uniform(15_000, 90_000), 'U-HAUL MOVING 00231')
  stay(move + 1, lastDay, Math.round(rentCents * random.uniform(0.9, 1.25)))
}

/** Metered bills: meter readings every 28 to 33 days shift the date, and the season affects the amount. */
const addMeters = (diary: Diary): void => {
  const { random, firstDay, lastDay } = diary
  const meters = [
    { name: 'CITY POWER & LIGHT', baseCents: 11_000, swing: 0.35, peakDay: 200, chance: 0.85, periodDays: 30 },
    { name: 'NATIONAL GAS UTIL', baseCents: 7_500, swing: 0.75, peakDay: 20, chance: 0.6, periodDays: 30 },
    { name: 'MUNICIPAL WATER SEWER', baseCents: 12_000, swing: 0.1, peakDay: 200, chance: 0.4, periodDays: 91 }
  ]
  for (const meter of meters) {
    if (!random.chance(meter.chance)) continue
    let day = firstDay + random.integer(0, meter.periodDays)
    while (day <= lastDay) {
      const season = 1 + meter.swing * Math.cos((2 * Math.PI * (day - meter.peakDay)) / 365.25)
      diary.write(
        bankDay(day, 1),
        meter.baseCents * season * random.logNormal(0.12),
        `${meter.name} WEB PMT ${random.code(7)}`
      )
      day += meter.periodDays + random.integer(-2, 3)
    }
  }
}

/** Contracts with a fixed price and day: loans, phone, and subscriptions that start, get more expensive and are cancelled. */
const addContracts = (diary: Diary): void => {
  const { random, firstDay, lastDay } = diary
  const contracts: [name: string, low: number, high: number, chance: number][] = [
    ['VERIZON WIRELESS', 4_500, 14_000, 0.8],
    ['COMCAST XFINITY', 5_000, 11_000, 0.75],
    ['TOYOTA FINANCIAL SVC', 24_000, 52_000, 0.4],
    ['DEPT EDUCATION STUDENT LN', 15_000, 42_000, 0.3],
    ['GEICO *AUTO', 9_000, 19_000, 0.5],
    ['NETFLIX.COM', 699, 2_299, 0.7],
    ['SPOTIFY USA', 1_099, 1_699, 0.5],
    ['APPLE.COM/BILL', 99, 999, 0.5],
    ['PLANET FITNESS', 1_000, 4_900, 0.3],
    ['NYTIMES*SUBSCRIPTION', 400, 1_700, 0.2],
    ['ADOBE *CREATIVE CLOUD', 2_000, 6_000, 0.15]
  ]
  for (const [name, low, high, chance] of contracts) {
    if (!random.chance(chance)) continue
    const from = random.chance(0.7) ? firstDay : random.integer(firstDay, lastDay)
    const until = random.chance(0.75) ? lastDay : random.integer(from, lastDay)
    const dearerDay = random.integer(firstDay, lastDay + 400)
    const priceCents = Math.round(random.uniform(low, high))
    diary.monthly(
      random.integer(1, 31),
      (day) => {
        if (random.chance(0.015)) return
        diary.write(
          day + random.pick([0, 0, 0, 0, 1, 2]),
          priceCents * (day >= dearerDay ? 1.12 : 1),
          `${name} ${random.integer(100, 999)}-${random.integer(1000, 9999)}`
        )
      },
      from,
      until
    )
  }
  if (random.chance(0.3)) {
    const feeCents = Math.round(random.uniform(9_000, 139_00))
    const month = random.integer(1, 12)
    for (let day = firstDay + month * 30; day <= lastDay; day += 365) diary.write(day, feeCents, 'AMAZON PRIME ANNUAL')
  }
  if (random.chance(0.25)) {
    const weeklyCents = Math.round(random.uniform(0.02, 0.05) * diary.monthlyIncomeCents)
    for (let day = firstDay; day <= lastDay; day++) {
      if (weekdayOfDay(day) === 1 && !random.chance(0.06)) diary.write(day, weeklyCents, 'LITTLE SPROUTS DAYCARE')
    }
  }
}

/** A credit card at another bank whose bill follows its spending, and transfers to the linked savings account. */
const addCardAndSavings = (diary: Diary): void => {
  const { random } = diary
  if (random.chance(0.5)) {
    const usualCents = diary.monthlyIncomeCents * random.uniform(0.06, 0.2)
    const byHand = random.chance(0.4)
    let level = 0
    diary.monthly(random.integer(3, 28), (day) => {
      level = 0.5 * level + 0.25 * random.normal()
      diary.write(
        byHand ? day + random.integer(-4, 2) : bankDay(day, 1),
        usualCents * Math.exp(level),
        `CHASE CREDIT CRD AUTOPAY ${random.integer(10, 99)}`
      )
    })
  }
  if (random.chance(0.55)) {
    const asideCents = Math.round((diary.monthlyIncomeCents * random.uniform(0.02, 0.12)) / 1000) * 1000
    diary.monthly(random.integer(1, 28), (day) => {
      diary.write(day, asideCents, 'ONLINE TRANSFER TO SAV XX4411')
      diary.write(day + random.integer(0, 2), -asideCents, 'ONLINE TRANSFER FROM CHK XX9921', 'savings')
      if (random.chance(0.12)) {
        diary.write(day + 12, asideCents * 2, 'ONLINE TRANSFER TO CHK XX9921', 'savings')
        diary.write(day + 12, -asideCents * 2, 'ONLINE TRANSFER FROM SAV XX4411')
      }
    })
  }
}

/** Groceries, restaurants and fuel, by weekday and season, with random variation. */
export const addDailySpending = (diary: Diary): void => {
  const { random, firstDay, lastDay } = diary
  const scale = diary.monthlyIncomeCents / 500_000
  const thrift = random.uniform(0.6, 1.15)
  const marketDay = random.pick([0, 0, 6, 6, 6, 3, 5])
  const market = random.pick(['TRADER JOE S', 'KROGER', 'WHOLEFDS', 'ALDI', 'SAFEWAY'])
  const coffee = random.chance(0.4) ? random.uniform(0.2, 0.8) : 0
  const dining = random.uniform(0.1, 0.6)
  let nextFuelDay = firstDay + random.integer(1, 9)
  const drives = random.chance(0.75)
  let awayUntil = 0
  for (let day = firstDay; day <= lastDay; day++) {
    const weekday = weekdayOfDay(day)
    const season = dateOfDay(day).slice(5, 7) === '12' ? 1.4 : 1
    if (random.chance(1 / 230)) {
      awayUntil = day + random.integer(3, 11)
      diary.write(day, scale * random.uniform(30_000, 120_000), 'AIRBNB HM' + random.code(6))
    }
    const away = day <= awayUntil ? 3 : 1
    const spend = (amountCents: number, description: string): void =>
      diary.write(day, amountCents * thrift * Math.sqrt(scale), description)
    if (away === 1 && weekday === marketDay && random.chance(0.85)) {
      spend(9_500 * random.logNormal(0.3), `${market} #${random.integer(100, 999)}`)
    }
    for (let visits = random.count(0.18); visits > 0; visits--) {
      spend(2_800 * random.logNormal(0.5), `${market} #${random.integer(100, 999)}`)
    }
    for (let meals = random.count(dining * away * (weekday >= 5 ? 1.8 : 0.7)); meals > 0; meals--) {
      spend(
        2_600 * random.logNormal(0.55),
        random.pick(['CHIPOTLE 1842', 'SQ *LUCKY NOODLE', 'TST* THE OLIVE PRESS', 'DOMINO S 7731', 'SWEETGREEN'])
      )
    }
    if (weekday > 0 && weekday < 6 && random.chance(coffee)) {
      spend(575 * random.logNormal(0.25), `STARBUCKS STORE ${random.integer(1000, 9999)}`)
    }
    if (random.chance(0.12 * season)) spend(3_400 * random.logNormal(0.8), `AMZN MKTP US*${random.code(9)}`)
    if (random.chance(0.03 * season))
      spend(8_500 * random.logNormal(0.7), random.pick(['TARGET 00021', 'COSTCO WHSE #1120', 'HOME DEPOT 6501']))
    if (random.chance(0.04)) spend(6_000 * random.logNormal(0.4), 'ATM WITHDRAWAL 00421')
    if (random.chance(0.05)) spend((random.chance(0.5) ? -1 : 1) * 3_500 * random.logNormal(0.6), 'VENMO PAYMENT')
    if (random.chance(0.012)) spend(-4_000 * random.logNormal(0.5), 'REFUND AMZN.COM')
    if (drives && day >= nextFuelDay) {
      spend(4_400 * random.logNormal(0.15), `SHELL OIL ${random.integer(10000, 99999)}`)
      nextFuelDay = day + Math.ceil(random.uniform(5, 13) / away)
    }
    // Unexpected costs, such as a dentist or a broken boiler. Heavy-tailed.
    if (random.chance(1 / 75))
      diary.write(
        day,
        scale * Math.min(350_000, 20_000 / (1 - random.next()) ** 0.7),
        random.pick(['BRIGHT DENTAL', 'MIDAS AUTO REPAIR', 'IKEA', 'BEST BUY 221', 'DELTA AIR'])
      )
    if (random.chance(1 / 500)) diary.write(day, -scale * random.uniform(40_000, 250_000), 'IRS TREAS 310 TAX REF')
  }
}

export const addEverydayLife = (diary: Diary): void => {
  addHome(diary)
  addMeters(diary)
  addContracts(diary)
  addCardAndSavings(diary)
  addDailySpending(diary)
}
