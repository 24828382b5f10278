"""What flows between the stages: plain structs of flat arrays, validated, without behaviour of their own."""
