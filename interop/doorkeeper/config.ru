# frozen_string_literal: true

require_relative "site"

run Site.initialize!
