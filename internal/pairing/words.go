// SPDX-License-Identifier: Apache-2.0

package pairing

import "strings"

// words are 256 words that can be told apart on a bad line, one for each value of a byte.
func words() []string {
	return strings.Fields(`
		acorn album alley amber ankle apple arena armour arrow atlas attic autumn badge bagel bakery bamboo
		banjo barrel basket beach beaver bishop blanket blossom bottle branch bread breeze bridge bronze bubble bucket
		buffalo butter button cabin cactus camel camera candle canoe canvas captain carbon carpet castle cattle cellar
		ceramic chalk cherry chimney circle circus clover coffee comet compass copper coral cotton coyote cradle crater
		crystal cupboard curtain cushion daisy dancer dentist desert diamond dinner doctor dolphin donkey dragon drawer drummer
		dustbin eagle easel echo elbow elephant ember engine evening falcon farmer feather ferry fiddle finger flamingo
		flower forest fossil fountain fox galaxy garage garden garlic gazelle ginger giraffe glacier glove goblin goose
		gravel guitar hammer harbour harvest hazel hedgehog helmet hermit honey horizon hotel hunter igloo insect island
		ivory jacket jaguar jelly jewel jigsaw jockey jungle kayak kernel kettle kitchen kitten koala ladder lagoon
		lantern laundry lemon leopard letter lizard lobster locket lumber magnet mango mantle maple marble market meadow
		melon mermaid mirror mitten monkey mosaic museum mustard napkin nectar needle nephew nickel noodle nutmeg oasis
		ocean olive onion opera orbit orchid otter oyster paddle palace pancake panther parrot pasta pebble pelican
		pencil pepper piano pigeon pillow pilot pirate planet pocket pollen pony puppet puzzle python quarry rabbit
		radar rainbow ranger raven ribbon river robin rocket saddle saffron sailor salmon saturn shadow sheriff shovel
		silver snail spider spiral stable statue summit sunset tablet tailor teapot temple thistle thunder tiger timber
		tomato trumpet tulip tunnel turtle umbrella uncle valley velvet violin volcano waffle walnut window wizard zebra
	`)
}
