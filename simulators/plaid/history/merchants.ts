/** Plaid's payment channels. */
export type Channel = 'online' | 'in store' | 'other'

/** A counterparty. Most are Plaid's sandbox merchants or invented; none is an endorsement. */
export interface Merchant {
  name: string
  /** The bank's statement line. */
  line: string
  primary: string
  /** The detailed category without the primary's prefix. */
  detail: string
  channel: Channel
  counterparty: 'merchant' | 'financial_institution' | 'income_source'
  website: string | null
  minCents: number
  maxCents: number
}

type Place = [name: string, line: string, minCents: number, maxCents: number, website?: string]

const group = (
  primary: string,
  detail: string,
  channel: Channel,
  places: Place[],
  counterparty: Merchant['counterparty'] = 'merchant'
): Merchant[] =>
  places.map(([name, line, minCents, maxCents, website]) => ({
    name,
    line,
    primary,
    detail,
    channel,
    counterparty,
    website: website ?? null,
    minCents,
    maxCents
  }))

export const groceries = group('FOOD_AND_DRINK', 'GROCERIES', 'in store', [
  ['Greenleaf Market', 'GREENLEAF MARKET #', 2_400, 14_800, 'greenleafmarket.example'],
  ['Harvest Basket', 'HARVEST BASKET ', 1_800, 11_500],
  ['Corner Pantry', 'CORNER PANTRY STORE ', 700, 4_200],
  ['Sunrise Foods', 'SUNRISE FOODS ', 2_900, 16_900, 'sunrisefoods.example'],
  ['Whole Barn Co-op', 'WHOLE BARN COOP ', 1_900, 9_900],
  ['Valley Fresh', 'VALLEY FRESH MKT ', 2_100, 12_400]
])

export const restaurants = group('FOOD_AND_DRINK', 'RESTAURANT', 'in store', [
  ['The Copper Spoon', 'TST* THE COPPER SPOON', 1_900, 7_800],
  ['Blue Heron Bistro', 'BLUE HERON BISTRO', 2_400, 9_600],
  ['Noodle Lantern', 'SQ *NOODLE LANTERN', 1_300, 4_400],
  ['Casa Azulejo', 'CASA AZULEJO RESTAURANT', 1_700, 6_900],
  ['Brick Oven Nine', 'TST* BRICK OVEN NINE', 1_500, 5_200],
  ['Tamarind House', 'TAMARIND HOUSE', 1_800, 6_400]
])

export const fastFood = group('FOOD_AND_DRINK', 'FAST_FOOD', 'in store', [
  ["McDonald's", "MCDONALD'S F", 600, 1_900, 'mcdonalds.com'],
  ['KFC', 'KFC G', 900, 2_600, 'kfc.com'],
  ['Burrito Depot', 'BURRITO DEPOT ', 850, 1_800]
])

export const coffee = group('FOOD_AND_DRINK', 'COFFEE', 'in store', [
  ['Starbucks', 'STARBUCKS STORE ', 375, 1_150, 'starbucks.com'],
  ['Tandem Roasters', 'SQ *TANDEM ROASTERS', 400, 1_050],
  ['Morning Bell Coffee', 'MORNING BELL COFFEE', 350, 900]
])

export const fuel = group('TRANSPORTATION', 'GAS', 'in store', [
  ['Shell', 'SHELL OIL ', 2_600, 6_200, 'shell.com'],
  ['Prairie Gas', 'PRAIRIE GAS & GO ', 2_300, 5_800],
  ['Beacon Fuel', 'BEACON FUEL ', 2_500, 6_000]
])

export const rides = [
  ...group('TRANSPORTATION', 'TAXIS_AND_RIDE_SHARES', 'online', [
    ['Uber', 'UBER *TRIP HELP.UBER.COM', 700, 3_900, 'uber.com'],
    ['Lyft', 'LYFT *RIDE', 800, 3_400, 'lyft.com']
  ]),
  ...group('TRANSPORTATION', 'PUBLIC_TRANSIT', 'in store', [
    ['City Transit Authority', 'CITY TRANSIT FARE', 275, 1_100]
  ])
]

export const shops = [
  ...group('GENERAL_MERCHANDISE', 'ONLINE_MARKETPLACES', 'online', [
    ['Bazaarly', 'BAZAARLY MKTPL*', 900, 12_500, 'bazaarly.example'],
    ['Amazon', 'AMZN MKTP US*', 800, 14_000, 'amazon.com']
  ]),
  ...group('GENERAL_MERCHANDISE', 'SUPERSTORES', 'in store', [
    ['Walmart', 'WM SUPERCENTER #', 1_500, 13_500, 'walmart.com'],
    ['Bullseye Stores', 'BULLSEYE ', 1_200, 9_900]
  ]),
  ...group('GENERAL_MERCHANDISE', 'CLOTHING_AND_ACCESSORIES', 'in store', [
    ['Northfold Apparel', 'NORTHFOLD APPAREL', 2_500, 15_000]
  ]),
  ...group('GENERAL_MERCHANDISE', 'ELECTRONICS', 'online', [
    ['SparkFun', 'SPARKFUN ELECTRONICS', 1_500, 8_940, 'sparkfun.com']
  ]),
  ...group('GENERAL_MERCHANDISE', 'BOOKSTORES_AND_NEWSSTANDS', 'in store', [
    ['Inkwell Books', 'INKWELL BOOKS', 900, 4_800]
  ]),
  ...group('HOME_IMPROVEMENT', 'HARDWARE', 'in store', [['Hammer & Pine', 'HAMMER AND PINE #', 1_100, 16_000]]),
  ...group('MEDICAL', 'PHARMACIES_AND_SUPPLEMENTS', 'in store', [['Cobalt Pharmacy', 'COBALT PHARMACY #', 600, 5_400]]),
  ...group('PERSONAL_CARE', 'HAIR_AND_BEAUTY', 'in store', [['Shear Delight', 'SQ *SHEAR DELIGHT', 2_800, 8_500]])
]

export const leisure = [
  ...group('ENTERTAINMENT', 'SPORTING_EVENTS_AMUSEMENT_PARKS_AND_MUSEUMS', 'in store', [
    ['Harbor Museum', 'HARBOR MUSEUM TICKETS', 1_500, 4_500]
  ]),
  ...group('ENTERTAINMENT', 'TV_AND_MOVIES', 'in store', [['Palace Cinemas', 'PALACE CINEMAS ', 1_200, 4_600]]),
  ...group('FOOD_AND_DRINK', 'BEER_WINE_AND_LIQUOR', 'in store', [['Oak & Vine', 'OAK AND VINE', 1_400, 6_200]])
]

export const journeys = [
  ...group('TRAVEL', 'FLIGHTS', 'online', [['United Airlines', 'UNITED AIRLINES', 18_000, 62_000, 'united.com']]),
  ...group('TRAVEL', 'LODGING', 'online', [['Wayfarer Inn', 'WAYFARER INN', 14_000, 48_000]])
]

export const subscriptions = [
  ...group('ENTERTAINMENT', 'TV_AND_MOVIES', 'online', [
    ['Netflix', 'NETFLIX.COM', 1_549, 1_549, 'netflix.com'],
    ['Reelhouse', 'REELHOUSE TV', 1_099, 1_099]
  ]),
  ...group('ENTERTAINMENT', 'MUSIC_AND_AUDIO', 'online', [['Spotify', 'SPOTIFY USA', 1_199, 1_199, 'spotify.com']]),
  ...group('ENTERTAINMENT', 'VIDEO_GAMES', 'online', [['Pixel Pass', 'PIXEL PASS MONTHLY', 999, 999]]),
  ...group('GENERAL_SERVICES', 'OTHER_GENERAL_SERVICES', 'online', [
    ['Cloudbox Storage', 'CLOUDBOX STORAGE', 299, 999],
    ['The Daily Ledger', 'DAILY LEDGER DIGITAL', 1_700, 1_700]
  ])
]

export const gyms = group('PERSONAL_CARE', 'GYMS_AND_FITNESS_CENTERS', 'in store', [
  ['Touchstone Climbing', 'TOUCHSTONE CLIMBING', 7_850, 7_850, 'touchstoneclimbing.com'],
  ['Ironworks Gym', 'IRONWORKS GYM DUES', 3_900, 4_900]
])

export const landlords = group('RENT_AND_UTILITIES', 'RENT', 'other', [
  ['Maple Court Apartments', 'MAPLE COURT APTS WEB PMTS', 0, 0],
  ['Harborview Property Management', 'HARBORVIEW PM RENT', 0, 0],
  ['Alder Street Homes', 'ALDER STREET HOMES RENT', 0, 0]
])
export const electric = group('RENT_AND_UTILITIES', 'GAS_AND_ELECTRICITY', 'other', [
  ['Lakeside Power & Light', 'LAKESIDE POWER ONLINE PMT', 0, 0],
  ['Tri-County Electric', 'TRI-COUNTY ELEC BILLPAY', 0, 0]
])
export const gas = group('RENT_AND_UTILITIES', 'GAS_AND_ELECTRICITY', 'other', [
  ['Metro Natural Gas', 'METRO NAT GAS BILL', 0, 0]
])
export const water = group('RENT_AND_UTILITIES', 'WATER', 'other', [['City Water Department', 'CITY WATER DEPT', 0, 0]])
export const internet = group('RENT_AND_UTILITIES', 'INTERNET_AND_CABLE', 'other', [
  ['Fiberline', 'FIBERLINE INTERNET', 5_500, 8_500],
  ['Comet Cable', 'COMET CABLE COMM', 6_000, 9_500]
])
export const phone = group('RENT_AND_UTILITIES', 'TELEPHONE', 'other', [
  ['Summit Wireless', 'SUMMIT WIRELESS AUTOPAY', 4_500, 8_500],
  ['Ringtone Mobile', 'RINGTONE MOBILE', 3_000, 6_000]
])
export const insurers = group('GENERAL_SERVICES', 'INSURANCE', 'other', [
  ['Shieldstone Insurance', 'SHIELDSTONE INS PREM', 9_500, 16_500]
])

export const employers = group(
  'INCOME',
  'WAGES',
  'other',
  [
    ['Tectra Inc', 'TECTRA INC PAYROLL', 0, 0],
    ['Gusto', 'ACH ELECTRONIC CREDIT GUSTO PAY', 0, 0],
    ['Northwind Logistics', 'NORTHWIND LOGIST DIR DEP', 0, 0],
    ['Meridian Health', 'MERIDIAN HEALTH PAYROLL', 0, 0]
  ],
  'income_source'
)

const own = (name: string, line: string, primary: string, detail: string): Merchant => ({
  name,
  line,
  primary,
  detail,
  channel: 'other',
  counterparty: 'financial_institution',
  website: null,
  minCents: 0,
  maxCents: 0
})

/** Bookings of the bank itself, and transfers between a person's own accounts. */
export const bankOwn = {
  interest: own('Interest', 'INTRST PYMNT', 'INCOME', 'INTEREST_EARNED'),
  savingsOut: own('Transfer to savings', 'ONLINE TRANSFER TO SAVINGS 1111', 'TRANSFER_OUT', 'SAVINGS'),
  savingsIn: own('Transfer from checking', 'ONLINE TRANSFER FROM CHECKING 0000', 'TRANSFER_IN', 'SAVINGS'),
  cardPayment: own('Credit card payment', 'CREDIT CARD 3333 PAYMENT *//', 'LOAN_PAYMENTS', 'CREDIT_CARD_PAYMENT'),
  cardPaymentReceived: own('Payment received', 'AUTOMATIC PAYMENT - THANK YOU', 'LOAN_PAYMENTS', 'CREDIT_CARD_PAYMENT'),
  studentLoan: own('Student loan payment', 'STUDENT LOAN 7777 PAYMENT', 'LOAN_PAYMENTS', 'STUDENT_LOAN_PAYMENT'),
  studentLoanReceived: own('Payment received', 'LOAN PAYMENT RECEIVED', 'LOAN_PAYMENTS', 'STUDENT_LOAN_PAYMENT'),
  cardInterest: own('Interest charge', 'INTEREST CHARGE ON PURCHASES', 'BANK_FEES', 'INTEREST_CHARGE')
}
